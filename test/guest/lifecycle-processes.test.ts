import { processesSuite } from "../support/lifecycle/processes-suite.ts"
import { qemu } from "../support/lifecycle/qemu.ts"

processesSuite("QEMU", qemu())
