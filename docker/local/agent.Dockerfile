# As docker/agent/Dockerfile, from a binary that is built already.
FROM scratch
COPY agent /agent
ENV GLIBC_TUNABLES=glibc.malloc.arena_max=1
USER 65532:65532
EXPOSE 9797
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s CMD ["/agent", "health"]
ENTRYPOINT ["/agent"]
