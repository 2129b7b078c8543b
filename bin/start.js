// npm start: checks Node, builds what is missing, and runs the server in this very process, so that signals arrive.
import './lib/node-version.js';

import('./lib/ensure-built.js')
  .then(({ ensureBuilt }) => ensureBuilt())
  .then(() => {
    process.setSourceMapsEnabled(true);
    return import('../dist/server.js');
  });
