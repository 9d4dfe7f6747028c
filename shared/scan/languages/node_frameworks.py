"""JavaScript frameworks by the dependency that tells them, most telling first."""

from typing import NamedTuple


class Server(NamedTuple):
    """A framework that answers requests."""

    dependency: str
    name: str
    port: int = 3000
    start: str = ""  # a program of its own that starts what was built
    file: str = ""  # or a file that the build leaves, run by node
    build: str = ""  # where there is no build script
    reads_port: bool = False  # PORT is read by the framework itself


class Generator(NamedTuple):
    """A program that turns sources into files to publish."""

    dependency: str
    name: str
    hint: str
    output: str
    build: str


# Frameworks that know both a server and a folder of files are asked first (`node_site.py`).
SERVERS = (
    Server("next", "next", start="next start", build="next build", reads_port=True),
    Server("nuxt", "nuxt", file=".output/server/index.mjs", build="nuxt build", reads_port=True),
    Server("@remix-run/serve", "remix", start="remix-serve build/server/index.js",
           build="remix vite:build", reads_port=True),
    Server("@react-router/serve", "react-router", start="react-router-serve ./build/server/index.js",
           build="react-router build", reads_port=True),
    Server("@tanstack/react-start", "tanstack-start"),
    Server("@sveltejs/kit", "sveltekit", build="vite build"),
    Server("astro", "astro", port=4321, build="astro build"),
    Server("@strapi/strapi", "strapi", port=1337, start="strapi start", build="strapi build"),
    Server("@adonisjs/core", "adonis", port=3333),
    Server("@nestjs/core", "nest"),
    Server("@feathersjs/feathers", "feathers", port=3030),
    Server("fastify", "fastify"),
    Server("express", "express"),
    Server("koa", "koa"),
    Server("@hapi/hapi", "hapi"),
    Server("elysia", "elysia"),
    Server("hono", "hono"),
    Server("restify", "restify"),
    Server("polka", "polka"),
    Server("@apollo/server", "apollo", port=4000),
    Server("graphql-yoga", "graphql-yoga", port=4000),
    Server("socket.io", "socket.io"),
    Server("ws", "ws"),
    Server("@grpc/grpc-js", "grpc", port=50051),
)  # fmt: skip
BUILT_TOO = frozenset({"@sveltejs/kit", "@tanstack/react-start", "astro", "next", "nuxt"})  # of any section

GENERATORS = (
    Generator("gatsby", "gatsby", "gatsby", "public", "gatsby build"),
    Generator("@docusaurus/core", "docusaurus", "docusaurus", "build", "docusaurus build"),
    Generator("@11ty/eleventy", "eleventy", "eleventy", "_site", "eleventy"),
    Generator("vitepress", "vitepress", "vitepress", ".vitepress/dist", "vitepress build"),
    Generator("hexo", "hexo", "hexo", "public", "hexo generate"),
    Generator("ember-cli", "ember", "ember", "dist", "ember build --environment=production"),
    Generator("react-scripts", "react", "cra", "build", "react-scripts build"),
    Generator("@vue/cli-service", "vue", "vue", "dist", "vue-cli-service build"),
    Generator("parcel", "parcel", "parcel", "dist", "parcel build"),
)

# What a page is made with, when nothing above was found.
PAGES = (
    ("react", "react"), ("vue", "vue"), ("@angular/core", "angular"), ("svelte", "svelte"),
    ("preact", "preact"), ("solid-js", "solid"), ("lit", "lit"), ("@builder.io/qwik", "qwik"),
)  # fmt: skip

MOBILE = ("react-native", "expo", "@expo/cli", "@ionic/react", "@nativescript/core")
DESKTOP = ("electron", "@tauri-apps/cli")
