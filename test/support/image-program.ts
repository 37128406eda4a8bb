import * as path from "node:path"

/** Lines of Python by which a program imports the modules of rootfs/image. */
export const imageModules = `import json, os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(path.join(import.meta.dirname, "../../rootfs/image"))})
from pyro_image import places
from pyro_image.common import Refused, say
`
