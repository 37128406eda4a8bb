/** The parser in a file of its own: a process reads the package with its first Dockerfile. */
export { DockerfileParser } from "dockerfile-ast"
