import { faultSuite } from "../support/lifecycle/fault-suite.ts"
import { qemu } from "../support/lifecycle/qemu.ts"

faultSuite("QEMU", qemu())
