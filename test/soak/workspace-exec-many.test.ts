import { manyCommandsSuite } from "../support/many-commands-suite.ts"

manyCommandsSuite(1_200)
