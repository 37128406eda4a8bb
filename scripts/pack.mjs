import { pack } from "./pack/pack.mjs"
import { main } from "./setup/main.mjs"

// Makes everything that the npm package has and the working tree does not: `npm pack` and `npm publish` run it (`prepack`).
main(pack)
