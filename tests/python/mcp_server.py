"""An MCP server with two tools over streamable HTTP: `mcp_server.py json` answers in JSON, `mcp_server.py events` in streams."""

import asyncio
import socket
import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("demo", version="1.2", log_level="ERROR")


@server.tool()
def search(words: str) -> str:
    return words


@server.tool()
def fetch(number: int) -> int:
    return number


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
app = server.streamable_http_app(json_response=sys.argv[1] == "json")
print("ports", listener.getsockname()[1], flush=True)
asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="error")).serve(sockets=[listener]))
