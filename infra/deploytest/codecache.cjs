// Node runs this before the CDK CLI, which these tests start thirty times. V8 needs half of each start to compile one file of 16 MB. Its
// code is kept in CODE_CACHE, as NODE_COMPILE_CACHE does from Node 22 on. V8 itself refuses the code of another version.
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const compile = Module.prototype._compile;
Module.prototype._compile = function (content, filename) {
  if (content.length < 1e6 || !filename.includes(path.join('node_modules', 'aws-cdk', ''))) return compile.call(this, content, filename);
  const { mtimeMs } = fs.statSync(filename);
  const kept = path.join(process.env.CODE_CACHE, `${path.basename(filename)}-${content.length}-${mtimeMs}-${process.version}`);
  let cachedData;
  try {
    cachedData = fs.readFileSync(kept);
  } catch {}
  const script = new vm.Script(Module.wrap(content), { filename, cachedData, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  if (!cachedData || script.cachedDataRejected) {
    process.on('exit', () => {
      try {
        fs.mkdirSync(process.env.CODE_CACHE, { recursive: true });
        fs.writeFileSync(`${kept}.${process.pid}`, script.createCachedData()); // the functions that have run so far
        fs.renameSync(`${kept}.${process.pid}`, kept);
      } catch {}
    });
  }
  const require = Module.createRequire(filename);
  return script.runInThisContext().call(this.exports, this.exports, require, this, filename, path.dirname(filename));
};
