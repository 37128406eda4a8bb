export { PyroNetworkSandboxSession, type PyroNetworkSandboxSessionOptions } from "./network-session.ts"
export { createPyroSandbox, type PyroSandboxSettings } from "./provider.ts"
