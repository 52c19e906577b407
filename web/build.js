// Bundles GraphiQL and its page into dist/, so that a browser loads everything from the API's own host.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, "dist");
const OPTIONS = {
  absWorkingDir: HERE,
  outdir: DIST,
  bundle: true,
  minify: true,
  metafile: true,
  logLevel: "warning",
  legalComments: "none", // writeLicences() collects them all
  target: "es2022",
  entryNames: "[name]-[hash]", // the name changes with the content, so a browser may cache the file for ever
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  define: { "process.env.NODE_ENV": '"production"' },
};

// Monaco checks and completes code in three workers.
async function bundleWorkers() {
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: {
      "editor-worker": "monaco-editor/esm/vs/editor/editor.worker.js",
      "graphql-worker": "monaco-graphql/esm/graphql.worker.js",
      "json-worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    },
    format: "iife",
  });
  return metafile;
}

async function bundlePage(workers) {
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: { graphiql: "src/page.jsx" },
    format: "esm",
    splitting: true,
    jsx: "automatic",
    loader: { ".graphql": "text", ".ttf": "file", ".woff2": "file" },
    define: {
      ...OPTIONS.define,
      EDITOR_WORKER: JSON.stringify(named(workers, /^editor-worker-.*\.js$/)),
      GRAPHQL_WORKER: JSON.stringify(named(workers, /^graphql-worker-.*\.js$/)),
      JSON_WORKER: JSON.stringify(named(workers, /^json-worker-.*\.js$/)),
    },
  });
  return metafile;
}

function named(metafile, pattern) {
  const found = Object.keys(metafile.outputs).map((path) => basename(path)).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${found.length} files of the bundle match ${pattern}`);
  return found[0];
}

function copyIcon() {
  const source = join(HERE, "src", "icon.svg");
  const name = `icon-${createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 8)}.svg`;
  copyFileSync(source, join(DIST, name));
  return name;
}

function writePage(metafile, icon) {
  const names = {
    ICON: icon,
    STYLE: named(metafile, /^graphiql-.*\.css$/),
    SCRIPT: named(metafile, /^graphiql-.*\.js$/),
  };
  const page = readFileSync(join(HERE, "src", "index.html"), "utf8");
  writeFileSync(join(DIST, "index.html"), page.replace(/%([A-Z]+)%/g, (_, name) => names[name]));
}

// The page's sheet has all of Monaco's styles. Nothing loads the sheets of the parts that come later.
function removeDoubledStyles(metafile) {
  const kept = named(metafile, /^graphiql-.*\.css$/);
  const sheets = Object.keys(metafile.outputs).map((path) => basename(path)).filter((name) => name.endsWith(".css"));
  sheets.filter((name) => name !== kept).forEach((name) => rmSync(join(DIST, name)));
}

// The licences of the packages that we pass on.
function writeLicences(metafiles) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  const folders = new Set(inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(HERE, folder, "package.json"), "utf8"));
    const file = readdirSync(join(HERE, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version}: ${license}\n\n${file ? readFileSync(join(HERE, folder, file), "utf8").trim() : ""}\n`;
  });
  writeFileSync(join(DIST, "licences.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
const workers = await bundleWorkers();
const page = await bundlePage(workers);
removeDoubledStyles(page);
writeLicences([workers, page]);
writePage(page, copyIcon()); // last: once the page is there, dist/ is complete
