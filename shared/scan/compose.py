"""Compose files: which of their services are the repository's own, and where each is built."""

import re
from dataclasses import dataclass
from typing import Any

from shared.scan.dockerfile import command_line
from shared.scan.reading import table, word
from shared.scan.view import Folder, resolve

FILES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
SERVICES_MAX = 50  # of one file
DATABASES = frozenset({
    "cassandra", "clickhouse", "cockroach", "cockroachdb", "couchbase", "couchdb", "database", "db",
    "dynamodb", "keydb", "mariadb", "memcached", "mongo", "mongodb", "mssql", "mysql", "neo4j", "pg", "pgsql",
    "postgis", "postgres", "postgresql", "redis", "scylla", "sqlite", "sqlserver", "timescaledb", "valkey",
})  # fmt: skip
INFRASTRUCTURE = frozenset({
    "adminer", "alertmanager", "azurite", "cadvisor", "certbot", "collector", "consul", "elastic",
    "elasticsearch", "etcd", "grafana", "haproxy", "influxdb", "jaeger", "kafka", "keycloak", "kibana",
    "ksqldb", "localstack", "logstash", "loki", "mailcatcher", "mailhog", "mailpit", "meilisearch", "minio",
    "mongo-express", "nats", "node-exporter", "opensearch", "otel", "pgadmin", "pgadmin4",
    "pgbouncer", "phpmyadmin", "portainer", "prometheus", "promtail", "qdrant", "rabbit", "rabbitmq",
    "redis-commander", "redpanda", "schema-registry", "selenium", "solr", "tempo", "temporal", "traefik",
    "typesense", "vault", "watchtower", "weaviate", "zipkin", "zk", "zookeeper",
})  # fmt: skip
_FRONTS = frozenset({"caddy", "envoy", "httpd", "nginx"})  # a plain image of these has nothing of ours in it
_VARIABLE = re.compile(r"\$\{?(\w{1,60})(?::?-([^}\n]{0,200}))?\}?")
_PORT = re.compile(r"([0-9]{1,5})(?:-[0-9]{1,5})?(?:/(?:tcp|udp))?")


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service that is the repository's own."""

    name: str
    file: str
    context: str | None  # the folder it is built in; None: it is an image, or built elsewhere
    dockerfile: str = ""  # from that folder; empty: the usual one
    image: str = ""
    command: str = ""
    port: int | None = None
    target: str = ""
    elsewhere: str = ""  # a context that is no folder of the repository


@dataclass(frozen=True, slots=True)
class Dropped:
    """One that is not."""

    name: str
    file: str
    reason: str


def read_compose(folder: Folder) -> tuple[list[ComposeService], list[Dropped]]:
    """Return what a folder's compose file runs: what is ours, and what is left out and why."""
    file = folder.has(*FILES)
    if not file:
        return [], []
    services = table(folder.yaml(file.rpartition("/")[2]), "services")
    ours: list[ComposeService] = []
    dropped: list[Dropped] = []
    for name, service in list(services.items())[:SERVICES_MAX]:
        reason = _not_ours(name, service)
        if reason:
            dropped.append(Dropped(name, file, reason))
        else:
            ours.append(_read_service(folder, file, name, service))
    return ours, dropped


def _not_ours(name: str, service: Any) -> str:
    """Return why a service is none of the repository's own, or nothing."""
    if not isinstance(service, dict):
        return "it is no service"
    image = word(service, "image").lower()
    if service.get("build"):  # a name alone counts: a builder of its own image may talk of a database
        plain = name.lower().rstrip("0123456789").rstrip("-_")
        return "a database" if plain in DATABASES else ""
    if not image:
        return "it says neither what it is built from nor an image"
    found = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    for known, reason in ((DATABASES, "a database"), (INFRASTRUCTURE, "infrastructure")):
        if _names(name.lower(), known) or _names(found, known):
            return reason
    return "a web server that others' images configure" if found in _FRONTS else ""


def _names(text: str, known: frozenset[str]) -> bool:
    if text in known:
        return True
    return any(part in known or part.rstrip("0123456789") in known for part in re.split(r"[-_.]", text))


def _read_service(folder: Folder, file: str, name: str, service: dict[str, Any]) -> ComposeService:
    build = service.get("build")
    written = word(service, "build") or word(build, "context") or ("." if build else "")
    context = None if not written or "://" in written or written.startswith("git@") else _filled(written)
    place = resolve(folder.path, context) if context is not None else None
    return ComposeService(
        name=name,
        file=file,
        context=place,
        dockerfile=_filled(word(build, "dockerfile")),
        image="" if build else word(service, "image"),
        command=command_line(service.get("command")),
        port=_port(service),
        elsewhere=written if build and place is None else "",
    )


def _port(service: dict[str, Any]) -> int | None:
    """Return where the first published port leads to inside the container."""
    for key in ("ports", "expose"):
        listed = service.get(key)
        for entry in listed if isinstance(listed, list) else []:
            text = entry.get("target") if isinstance(entry, dict) else entry
            found = _PORT.fullmatch(_filled(text).rpartition(":")[2]) if isinstance(text, str) else None
            if found and 0 < int(found[1]) <= 65_535:
                return int(found[1])
    return None


def _filled(text: str) -> str:
    """Return a text with its variables' defaults in it."""
    return _VARIABLE.sub(lambda found: found[2] or "", text)
