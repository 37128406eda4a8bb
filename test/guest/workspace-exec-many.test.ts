import { manyCommandsSuite } from "../support/suites/many-commands-suite.ts"

manyCommandsSuite(300)
