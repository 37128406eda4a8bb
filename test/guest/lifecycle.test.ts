import { lifecycleSuite } from "../support/lifecycle/lifecycle-suite.ts"
import { qemu } from "../support/lifecycle/qemu.ts"

lifecycleSuite("QEMU", qemu())
