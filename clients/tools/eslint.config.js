// graphql-eslint's rules: for the schema recommended and relay, for the clients' documents recommended. A rule that is off or changed says why.
// `make lint-schema` runs them in the checkout's folder.
import graphql from "@graphql-eslint/eslint-plugin";

const VALUE_OBJECTS = [
  ...["Agent", "Check", "Configuration", "Controller", "CpuCounts", "Efficiency", "Head", "Health", "JobDependency"],
  ...["JobOutput", "JobStateCount", "JobsEnded", "NodeStateCount", "PageInfo", "PriorityFactors", "SnapshotAge"],
  ...["Statistics", "TresPriority", "UserError"],
];

const DOCUMENTS = "clients/documents/*.graphql";

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema/schema.graphql", documents: DOCUMENTS } },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@graphql-eslint": graphql },
  },
  { files: [DOCUMENTS], rules: graphql.configs["flat/operations-recommended"].rules },
  {
    files: ["schema/*.graphql"],
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // The only directive is @oneOf, which GraphQL's specification describes. tests/schema demands all descriptions.
      "@graphql-eslint/require-description": ["error", { types: true, rootField: true, DirectiveDefinition: false }],
      // `Job.jobId` is Slurm's own id beside `id`; `FairShare.fairShare` and `Switch.switchNames` are Slurm's words.
      "@graphql-eslint/no-typename-prefix": "off",
      // Value objects have no id (contract, rule 6): a cache keeps them in the object that they belong to.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            suffixes: ["Connection", "Edge", "Payload"],
            types: VALUE_OBJECTS,
          },
        },
      ],
      // Pages go forward only: cursors are places in the order (keyset). `orderBy` of jobs turns the
      // order round; other lists have one order.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // Short lists are plain lists (contract, rule 5). `Node` is a compute node here, not Relay's interface.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
