// Parses the AsyncAPI documents on stdin, a JSON list, with AsyncAPI's own parser: node parse_asyncapi.cjs <bundle>
// Prints a JSON list: what the parser says of each (severity 0 error, 1 warning, 2 and 3 advice) and what it found.
globalThis.window = globalThis; // the bundle looks for a browser's global object
const Parser = require(process.argv[2]);
const documents = JSON.parse(require("fs").readFileSync(0, "utf8"));

async function parsed(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  return {
    said: diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path, message })),
    found: document ? { channels: document.channels().length, operations: document.operations().length } : null,
  };
}

(async () => {
  const answers = [];
  for (const each of documents) answers.push(await parsed(JSON.stringify(each)));
  console.log(JSON.stringify(answers));
})();
