// The only module that loads the parsers: the build puts it in a file of its own, which only `pyro host` reads.
export { findNodeAtLocation, getNodeValue, parse as parseJsonc, parseTree, printParseErrorCode } from "jsonc-parser"
export { parse as parseToml } from "smol-toml"
export { isMap, isScalar, parseDocument, stringify as stringifyYaml } from "yaml"
