"""What the host asks for, as JSON. For type checkers: no other module imports this one while it runs.

The host's side is in src/lib/environment: `BuilderRequest` in model/image-builder.ts, `ExportRequest` in
image-export.ts.
"""

from typing import Any, NotRequired, TypedDict

# A part of a document that a stranger wrote.
type Json = dict[str, Any]


class Result(TypedDict):
    device: str
    hasModules: bool
    hasBase: NotRequired[bool]


class Login(TypedDict):
    registry: str
    user: str
    variable: str


class Mirror(TypedDict):
    name: str
    source: str
    plainHttp: bool


class BaseMirror(TypedDict):
    name: str
    registry: str
    location: str
    plainHttp: bool


class PresentBase(TypedDict):
    names: list[str]
    digest: str
    config: Json
    file: str


# In this form, because `from` is a word of Python's own.
Steps = TypedDict("Steps", {"from": NotRequired[str], "to": NotRequired[str]})


class DockerfileRequest(TypedDict):
    file: NotRequired[str]
    text: NotRequired[str]
    context: NotRequired[str]
    target: NotRequired[str]
    arguments: dict[str, str]
    loopbackPorts: list[int]
    mirrors: NotRequired[list[BaseMirror]]
    present: NotRequired[list[PresentBase]]
    secrets: NotRequired[dict[str, str]]
    steps: NotRequired[Steps]


class FeatureRequest(TypedDict):
    id: str
    folder: NotRequired[str]
    options: dict[str, Any]


class DevContainer(TypedDict):
    features: list[FeatureRequest]
    order: list[str]
    remoteUser: NotRequired[str]
    containerUser: NotRequired[str]
    links: list[str]


class Archive(TypedDict):
    kind: str
    name: NotRequired[str]


class CommitRequest(TypedDict):
    id: str
    config: Json
    workspaceAs: NotRequired[str]


class AddedRequest(TypedDict):
    id: str
    config: Json
    packages: list[str]


class ExportRequest(TypedDict):
    architecture: str
    created: str
    tag: NotRequired[str]
    config: Json


class Request(TypedDict):
    architecture: NotRequired[str]
    result: NotRequired[Result]
    modules: NotRequired[bool]
    logins: NotRequired[list[Login]]
    stallSeconds: NotRequired[float]
    devcontainer: NotRequired[DevContainer]
    source: NotRequired[str]
    plainHttp: NotRequired[bool]
    mirrors: NotRequired[list[Mirror]]
    archive: NotRequired[Archive]
    commit: NotRequired[CommitRequest]
    added: NotRequired[AddedRequest]
    dockerfile: NotRequired[DockerfileRequest]
    export: NotRequired[ExportRequest]
