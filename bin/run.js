// npm run migrate | audit | verify | admin: runs a command of cmd/ from the build, with the arguments that follow.
import './lib/node-version.js';

import('./lib/ensure-built.js')
  .then(({ ensureBuilt }) => ensureBuilt())
  .then(() => {
    process.setSourceMapsEnabled(true);
    const [name = ''] = process.argv.splice(2, 1);
    if (!/^[a-z-]+$/.test(name)) throw new Error('usage: node bin/run.js COMMAND [arguments]');
    return import(`../dist/cmd/${name}.js`);
  })
  .catch((error) => {
    console.error(error.code === 'ERR_MODULE_NOT_FOUND' ? error.message : error);
    process.exit(1);
  });
