// npm run build: types checked, server compiled, page bundled, into dist/.
import './lib/node-version.js';

import('./lib/build.js')
  .then(({ build }) => build({ checkTypes: true }))
  .catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
