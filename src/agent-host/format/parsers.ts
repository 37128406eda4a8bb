// Only this module loads the parsers: the build makes a separate file of it, which only `pyro host` reads.
export { findNodeAtLocation, getNodeValue, parse as parseJsonc, parseTree, printParseErrorCode } from "jsonc-parser"
export { parse as parseToml } from "smol-toml"
export { isMap, isScalar, parseDocument, stringify as stringifyYaml } from "yaml"
