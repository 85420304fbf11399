// Loaded into Playwright's driver before it starts. Where the driver is another than the one that we know, nothing is replaced.
const Module = require("module");
const compile = Module.prototype._compile;
Module.prototype._compile = function (content, filename) {
  if (filename.endsWith("coreBundle.js")) {
    // A stock Firefox does not know one command that Playwright sends it.
    content = content.replace(
      /await (this\.[\w.]+\.send\("emulation\.setMediaFeaturesOverride", \{[\s\S]*?\}\));/g,
      "await $1.catch(e => { if (!/unknown command/.test(String(e && e.message))) throw e; });",
    );
    // What is waited for is looked for ten times a second to the end, not twice.
    content = content.replace("const backoffScale = [20, 50, 100, 100, 500];", "const backoffScale = [20, 50, 100];");
  }
  return compile.call(this, content, filename);
};
