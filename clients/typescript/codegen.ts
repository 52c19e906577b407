import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: process.env["SCHEMA"] ?? "../../schema/schema.graphql",
  documents: `${process.env["DOCUMENTS"] ?? "../documents"}/*.graphql`,
  importExtension: ".js",
  generates: {
    "./src/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        useTypeImports: true,
        strictScalars: true,
        scalars: { DateTime: "string", BigInt: "number" },
        enumType: "string-literal",
      },
    },
  },
};

export default config;
