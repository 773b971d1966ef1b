"""A WebSocket server that greets and then repeats what it is told."""

import asyncio

from websockets.asyncio.server import serve


async def talk(connection):
    await connection.send("welcome to the echo")
    async for message in connection:
        await connection.send(message)


async def main():
    async with serve(talk, "127.0.0.1", 0) as server:
        print("ports", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
