/// <reference path="../../node_modules/node-pty/node-pty.d.ts" />

/** The prebuilt distribution is installed under the name of the original and declares its own. */
declare module "node-pty" {
  export * from "@lydell/node-pty"
}
