import { manyCommandsSuite } from "../support/many-commands-suite.ts"

manyCommandsSuite(300)
