# The image of Pinnace: the program, the certificates of authorities, and nothing else. Time zones
# are within the program (import of time/tzdata), and git is: neither a shell nor git is needed.
#
#   docker build -t pinnace .            from a checkout, whose commit `pinnace version` then names
#   deploy/image/build.sh TAG            the same with buildah, reproducible; releases are built so
#
# GO_IMAGE is a tag here, so that a checkout builds with the newest patch of Go. A release passes the
# digest that the tag had when it was made, and says which one (docs/release.md).
ARG GO_IMAGE=docker.io/library/golang:1.26

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
        -ldflags "-s -w -buildid= -X github.com/pinnace-dev/pinnace/internal/cli.version=$VERSION" \
        -o /out/root/pinnace ./cmd/pinnace && \
    mkdir -p /out/root/etc/ssl/certs /out/root/tmp /out/root/var/lib /out/root/var/cache /out/state/pinnace && \
    cp -L /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/ && \
    echo 'pinnace:x:65532:65532:pinnace:/var/lib/pinnace:/' >/out/root/etc/passwd && \
    echo 'pinnace:x:65532:' >/out/root/etc/group && \
    chmod 755 /out/root/pinnace /out/root/etc /out/root/etc/ssl /out/root/etc/ssl/certs /out/root/var /out/root/var/* && \
    chmod 644 /out/root/etc/passwd /out/root/etc/group /out/root/etc/ssl/certs/ca-certificates.crt && \
    chmod 1777 /out/root/tmp && chmod 700 /out/state/pinnace

FROM scratch
COPY --from=build /out/root/ /
COPY --from=build --chown=65532:65532 /out/state/ /var/lib/
COPY --from=build --chown=65532:65532 /out/state/ /var/cache/
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="pinnace" \
      org.opencontainers.image.description="Pins container images in git, and promotes what was tested" \
      org.opencontainers.image.url="https://github.com/pinnace-dev/pinnace" \
      org.opencontainers.image.source="https://github.com/pinnace-dev/pinnace" \
      org.opencontainers.image.documentation="https://github.com/pinnace-dev/pinnace/tree/main/docs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION:-unreleased}" \
      org.opencontainers.image.revision="${REVISION:-unknown}"
# Where `pinnace serve` keeps its database and its mirrors; /tmp is the only other place that is
# written to. No volume is declared: `docker run ... check` would leave one behind each time.
ENV STATE_DIRECTORY=/var/lib/pinnace
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/pinnace"]
