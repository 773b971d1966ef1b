"""A gRPC server with a health service, plain and over TLS, and one without: `grpc_server.py KEY CERTIFICATE`."""

import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def server():
    return grpc.server(futures.ThreadPoolExecutor(2))


answers = health_pb2.HealthCheckResponse
servicer = health.HealthServicer()
servicer.set("", answers.SERVING)
servicer.set("shop.Cart", answers.SERVING)
servicer.set("shop.Pay", answers.NOT_SERVING)

with_health, without = server(), server()
health_pb2_grpc.add_HealthServicer_to_server(servicer, with_health)
key, certificate = (open(path, "rb").read() for path in sys.argv[1:3])
plain = with_health.add_insecure_port("127.0.0.1:0")
secure = with_health.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
bare = without.add_insecure_port("127.0.0.1:0")
with_health.start()
without.start()
print("ports", plain, secure, bare, flush=True)
with_health.wait_for_termination()
