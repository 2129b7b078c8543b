// npm test: finds or installs what the tests need, builds, runs them, and ends with the line "N passed, N failed".
import './lib/node-version.js';

const { provide } = await import('./lib/services.js');
const { ensureBuilt } = await import('./lib/ensure-built.js');

Object.assign(process.env, provide());
await ensureBuilt();
await import('./lib/run-tests.js');
