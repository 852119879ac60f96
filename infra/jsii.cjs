// Node runs this ahead of jsii, see infra/app. At each synth jsii reads what is known of every type of the CDK: 78 MB, two thirds of which are
// words and line numbers for whoever makes bindings. The rest is kept in build/jsii by the digest of the whole; without it jsii reads the whole.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const unused = new Set(['docs', 'locationInModule', 'readme', 'symbolId']);
const unpack = zlib.gunzipSync;

zlib.gunzipSync = (packed, ...options) => {
  if (packed.length < 1e6) return unpack(packed, ...options);
  const folder = path.join('build', 'jsii');
  const kept = path.join(folder, crypto.createHash('sha256').update(packed).digest('hex') + '.json');
  try {
    return fs.readFileSync(kept);
  } catch {
    const whole = unpack(packed, ...options);
    try {
      const part = JSON.stringify(JSON.parse(whole.toString()), (key, value) => (unused.has(key) ? undefined : value));
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(`${kept}.${process.pid}`, part);
      fs.renameSync(`${kept}.${process.pid}`, kept); // several may do so at a time
    } catch {}
    return whole;
  }
};
