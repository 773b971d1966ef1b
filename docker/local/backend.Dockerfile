# As docker/backend/Dockerfile, from binaries that are built already.
FROM scratch
COPY backend agent /
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/agent", "health", "http://127.0.0.1:8000/health"]
ENTRYPOINT ["/backend"]
