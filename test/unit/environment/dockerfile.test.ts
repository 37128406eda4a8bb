import { assert, describe, it } from "vitest"
import { basesOf } from "../../../src/environment/dockerfile.ts"

describe("the base images of a Dockerfile", () => {
  it.each([
    ["FROM python:3.12", {
      allowHosts: ["docker-hub"],
      registries: ["registry-1.docker.io:443"],
      loopbackPorts: []
    }],
    ["from --platform=linux/amd64 ghcr.io/a/b:1 as build\nFROM build\n", {
      allowHosts: ["ghcr"],
      registries: ["ghcr.io:443"],
      loopbackPorts: []
    }],
    ["FROM scratch\nCOPY a /", { allowHosts: [], registries: [], loopbackPorts: [] }],
    ["ARG BASE\nFROM $BASE\nFROM ${BASE:-x}", { allowHosts: [], registries: [], loopbackPorts: [] }],
    [
      "FROM localhost:5000/a AS one\nFROM registry.example.com/b\nCOPY --from=one /x /x",
      {
        allowHosts: ["host.pyro.internal:5000", "registry.example.com:443"],
        registries: ["host.pyro.internal:5000", "registry.example.com:443"],
        loopbackPorts: [5000]
      }
    ],
    ["# FROM python\nRUN echo FROM python", { allowHosts: [], registries: [], loopbackPorts: [] }],
    ["FROM\nFROM  \n", { allowHosts: [], registries: [], loopbackPorts: [] }]
  ])("%j needs their registries", (text, expected) => {
    const { references: _, ...bases } = basesOf(text)
    assert.deepStrictEqual(bases, expected)
  })

  it("a text of a megabyte is read at once", () => {
    assert.deepStrictEqual(basesOf("FROM ".repeat(200_000)).loopbackPorts, [])
  })
})
