# syntax=docker/dockerfile:1
# Two images, for docker-compose.yml: `hotpot` (the last stage) and `anvil` (an EVM chain for development).
#   docker build --tag hotpot:local .
#   docker build --tag hotpot-anvil:local --target anvil .

# npm alone comes from this image; the Node.js that builds the pages is in the lock file.
FROM node:22-bookworm-slim AS web
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json packages/client/
COPY web_interfaces/package.json web_interfaces/
RUN --mount=type=cache,target=/root/.npm \
    npm ci --loglevel=error --include-workspace-root --workspace packages/client --workspace web_interfaces
COPY docs/openapi.json docs/
COPY packages packages
COPY web_interfaces web_interfaces
RUN npm run build --workspace packages/client && npm run build --workspace web_interfaces

# The same anvil as in the tests, by the same lock file.
FROM node:22-bookworm-slim AS foundry
WORKDIR /src/contracts
COPY contracts/package.json contracts/package-lock.json contracts/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --loglevel=error \
    && cp node_modules/@foundry-rs/anvil-linux-*/bin/anvil /usr/local/bin/anvil

# rust-toolchain.toml decides; the tag of the same version only saves a download.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY rust-toolchain.toml ./
RUN rustup toolchain install
COPY . .
COPY --from=web /src/web_interfaces/dist web_interfaces/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin hotpot \
    && cp target/release/hotpot /usr/local/bin/hotpot

FROM debian:bookworm-slim AS base
# Debian keeps one version of a package, so a pinned one would break the build with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/*
# A named volume takes owner and mode from the folder that it is mounted on.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent hotpot \
    && install --directory --owner hotpot --group hotpot --mode 0700 /var/lib/hotpot /var/lib/anvil
USER 10001:10001

FROM base AS anvil
LABEL org.opencontainers.image.title="anvil for The Hot Pot Spot" \
    org.opencontainers.image.description="An EVM chain for development, as the tests use it" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=foundry /usr/local/bin/anvil /usr/local/bin/anvil
WORKDIR /var/lib/anvil
EXPOSE 8545
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
    CMD ["curl", "--fail", "--silent", "--json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}", "http://127.0.0.1:8545"]
ENTRYPOINT ["anvil"]
# `hotpot up` starts it with the same options; what is eight blocks old is final.
CMD ["--host", "0.0.0.0", "--silent", "--chain-id", "31337", "--block-time", "1", "--slots-in-an-epoch", "4", \
    "--order", "fees", "--state", "/var/lib/anvil/state.json", "--state-interval", "1"]

FROM base AS hotpot
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="The Hot Pot Spot" \
    org.opencontainers.image.description="Validator, relayer, indexer and gateway of a franchise's sidechain" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
COPY LICENSE /usr/share/doc/hotpot/LICENSE
COPY --from=build /usr/local/bin/hotpot /usr/local/bin/hotpot
WORKDIR /var/lib/hotpot
# Which service of this program is asked for its health; 8080 is the gateway's.
ENV HEALTH_PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
    CMD ["sh", "-c", "exec curl --fail --silent --output /dev/null http://127.0.0.1:$HEALTH_PORT/readyz"]
ENTRYPOINT ["hotpot"]
CMD ["--help"]
