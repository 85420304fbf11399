// Loaded into Playwright's driver before it starts: a stock Firefox does not know one command that Playwright sends it.
const Module = require("module");
const compile = Module.prototype._compile;
Module.prototype._compile = function (content, filename) {
  if (filename.endsWith("coreBundle.js")) {
    content = content.replace(
      /await (this\.[\w.]+\.send\("emulation\.setMediaFeaturesOverride", \{[\s\S]*?\}\));/g,
      "await $1.catch(e => { if (!/unknown command/.test(String(e && e.message))) throw e; });",
    );
  }
  return compile.call(this, content, filename);
};
