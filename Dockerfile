# Built in one stage, run in another that holds the program and the certificates it needs to speak to others.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package gantry && cp target/release/gantry /gantry

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/gantry --create-home gantry
COPY --from=build /gantry /usr/local/bin/gantry
COPY infra/lxc/templates /usr/share/gantry/templates
# Inside a container everybody who may reach it comes over its network; who may is the token's business.
ENV GANTRY_API__LISTEN=0.0.0.0:8080 GANTRY_TEMPLATES__ROOT=/usr/share/gantry/templates
USER gantry
WORKDIR /var/lib/gantry
EXPOSE 8080
ENTRYPOINT ["gantry"]
CMD ["serve"]
