"""Settings that a program does not find or cannot read, as its language and libraries say it."""

import pytest

from shared.diagnosis.rules import classify, classify_log
from tests.unit.diagnosis.samples import ENVIRON_TRACE, SETTING, STARTUP, named, start

NODE = "\n    at Object.<anonymous> (/app/server.js:3:9)\n\nNode.js v20.11.0"
MISSING = {
    "environ": ENVIRON_TRACE,
    "decouple": "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a"
    " default value.",
    "environs": 'environs.exceptions.EnvError: Environment variable "DATABASE_URL" not set',
    "django-environ": "django.core.exceptions.ImproperlyConfigured: Set the DATABASE_URL environment"
    " variable",
    "django": "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
    "pydantic 1": "pydantic.error_wrappers.ValidationError: 1 validation error for AppConfig\napi_key\n"
    "  field required (type=value_error.missing)",
    "an assertion": "AssertionError: STRIPE_KEY must be set",
    "a runtime error": "RuntimeError: Missing environment variable: STRIPE_KEY",
    "node throws": "Error: DATABASE_URL is required" + NODE,
    "node throws a sentence": "Error: The environment variable REDIS_URL is not defined" + NODE,
    "env-var": 'EnvVarError: env-var: "PORT" is a required variable, but it was not set' + NODE,
    "joi": 'Error: Config validation error: "JWT_SECRET" is required' + NODE,
    "t3-env": "❌ Invalid environment variables: { DATABASE_URL: [ 'Required' ] }",
    "prisma": "error: Environment variable not found: DATABASE_URL.",
    "zod": 'ZodError: [\n  {\n    "code": "invalid_type",\n    "path": [\n      "JWT_SECRET"\n    ],\n'
    '    "message": "Required"\n  }\n]' + NODE,
    "go panics": "panic: required environment variable DATABASE_URL is not set\n\ngoroutine 1 [running]:",
    "go logs": "2026/03/01 12:00:00 DATABASE_URL environment variable not set",
    "envconfig": "2026/03/01 12:00:00 required key DATABASE_URL missing value",
    "caarlos0": '2026/03/01 12:00:00 env: required environment variable "PORT_HTTP" is not set',
    "java": "Caused by: java.lang.IllegalStateException: Environment variable DB_URL is not set",
    "spring": "Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'db.url' in"
    " value",
    "quarkus": "java.util.NoSuchElementException: SRCFG00014: The config property db.url is required",
    "ruby": '/app/config.rb:3:in `fetch\': key not found: "DATABASE_URL" (KeyError)',
    "ruby 3.4": "/app/config.rb:3:in 'ENV.fetch': key not found: \"DATABASE_URL\" (KeyError)",
    "rails": "/app/x.rb:1:in `secret': Missing `secret_key_base` for 'production' environment"
    " (ArgumentError)",
    "php": "PHP Fatal error:  Uncaught RuntimeException: Environment variable DB_DSN is not set in"
    " /app/x.php:3",
    "laravel": 'No application encryption key has been specified. {"exception":"..."}',
    "elixir": "** (RuntimeError) environment variable DATABASE_URL is missing.",
    "rust": "thread 'main' panicked at src/main.rs:2:45:\nDATABASE_URL must be set: NotPresent",
    "dotnet": "Unhandled exception. System.InvalidOperationException: Environment variable DB is not set",
    "sh -u": "script: 3: TOKEN: parameter not set",
    "bash -u": "./entrypoint.sh: line 4: TOKEN: unbound variable",
    "its own words": "./entrypoint.sh: line 4: DATABASE_URL: give me a database",
    "compose": "error while interpolating services.web.image: required variable TAG is missing a value: x",
}
UNREADABLE = {
    "pydantic": "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\nport\n"
    "  Input should be a valid integer [type=int_parsing, input_value='abc', input_type=str]",
    "caarlos0": '2026/03/01 12:00:00 env: parse error on field "Port" of type "int": invalid syntax',
    "envconfig": "2026/03/01 12:00:00 envconfig.Process: assigning PORT to Port: converting 'x' to type int",
    "zod": 'ZodError: [\n  {\n    "code": "invalid_string",\n    "path": [\n      "DATABASE_URL"\n    ],\n'
    '    "message": "Invalid url"\n  }\n]' + NODE,
}
NOT_A_SETTING = {
    "its own data": "Traceback (most recent call last):\n  File x\n    row[name]\nKeyError: 'TOTAL'",
    "a name of the language": "ReferenceError: config is not defined" + NODE,
    "a request's fault": "ValidationError: 1 validation error for Order\nnumber\n  Field required"
    " [type=missing]",
    "a form": 'ZodError: [\n  {\n    "path": [\n      "email"\n    ],\n    "message": "Required"\n  }\n]'
    + NODE,
    "chatter": "ERROR checkout: STREET is required\nWARN the environment variable DEBUG is not set, using"
    " false",
    "what is told and lived with": "Warning: NODE_ENV is not set\nlistening on 8080",
}


@pytest.mark.parametrize("log", MISSING.values(), ids=MISSING)
def test_a_missing_variable_is_named_in_every_language(log: str) -> None:
    assert named(classify(start(log), SETTING)) == ("variable_missing", STARTUP)
    assert classify_log(log).rule == "variable_missing"


@pytest.mark.parametrize("log", UNREADABLE.values(), ids=UNREADABLE)
def test_a_value_that_cannot_be_read_is_another_matter(log: str) -> None:
    assert named(classify(start(log), SETTING)) == ("variable_unreadable", STARTUP)


@pytest.mark.parametrize("log", NOT_A_SETTING.values(), ids=NOT_A_SETTING)
def test_what_only_sounds_like_a_setting_is_none(log: str) -> None:
    assert classify(start(log, 3), SETTING).rule not in {"variable_missing", "variable_unreadable"}
