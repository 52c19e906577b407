// graphql-inspector's comparison of the schema with the last release: node compare.js RELEASED CURRENT
// It fails for a breaking change. `make schema-changes` prints graphql-core's comparison, with the additions.
import { existsSync, readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [released, current] = process.argv.slice(2);
if (!existsSync(released)) {
  console.log(`Nothing is released: there is no ${released}.`);
  process.exit();
}
const [before, after] = [released, current].map((path) => buildSchema(readFileSync(path, "utf8")));
const breaking = (await diff(before, after)).filter((change) => change.criticality.level === CriticalityLevel.Breaking);
for (const change of breaking) console.error(`${change.path}: ${change.message}`);
process.exitCode = breaking.length ? 1 : 0;
