export { PyroSandboxSession } from "./session.ts"
