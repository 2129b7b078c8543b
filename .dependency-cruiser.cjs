/**
 * Which way imports may point. Composition roots (server.ts, cmd, bin) see everything; everybody else sees what is named
 * here and nothing more.
 */
const CORE = '^lib/(core|engine|fairness)/';
const config = '^config/(limits|config-error)[.]ts$';

/** `from` may import of the project only what matches `to`. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(server[.]ts$|(config|lib|socket|http|db|cmd|bin|public|test|bench|migrations)/)', pathNot: to },
});

module.exports = {
  forbidden: [
    only(
      'core',
      '^lib/core/',
      [CORE, '^lib/errors[.]ts$', '^lib/(protocol|ports)([.]ts$|/)', '^config/limits[.]ts$'],
      'rules know themselves, errors and limits',
    ),
    only('engine', '^lib/engine/', ['^lib/engine/', '^config/limits[.]ts$'], 'the engine runs in the browser too'),
    only(
      'fairness',
      '^lib/fairness/',
      ['^lib/(fairness|engine|core)/', '^config/limits[.]ts$'],
      'the verifier runs in the browser too',
    ),
    only('ports', '^lib/ports([.]ts$|/)', ['^lib/'], 'ports speak the domain'),
    only(
      'service',
      '^lib/service/',
      [CORE, '^lib/service/', '^lib/(ports|errors|protocol)([.]ts$|/)', config],
      'services know ports, not drivers, clocks or sockets',
    ),
    only(
      'run',
      '^lib/run/',
      [CORE, '^lib/(run|service)/', '^lib/(ports|errors|protocol)([.]ts$|/)', config],
      'what runs drives services',
    ),
    only(
      'socket',
      '^socket/',
      ['^socket/', '^lib/(service|core|engine)/', '^lib/(ports|errors|protocol)([.]ts$|/)', config],
      'the edge calls services',
    ),
    only(
      'http',
      '^http/',
      ['^http/', '^lib/(service|run|core)/', '^lib/(ports|errors|protocol)([.]ts$|/)', config],
      'the edge calls services',
    ),
    only(
      'db',
      '^db/',
      ['^db/', '^lib/(core|engine|fairness)/', '^lib/(ports|errors|protocol)([.]ts$|/)', '^config/'],
      'drivers implement ports',
    ),
    only('config', '^config/', ['^config/'], 'settings depend on nothing'),
    only(
      'public',
      '^public/',
      ['^public/', '^lib/(core|engine|fairness)/', '^lib/(protocol|errors)[.]ts$', '^config/limits[.]ts$'],
      'the page shares types, engine, fairness and texts',
    ),
    {
      name: 'core-types-of-protocol',
      comment: 'rules may name shapes of the protocol and the ports; they may not run anything of them',
      severity: 'error',
      from: { path: CORE },
      to: { path: '^lib/(protocol|ports)([.]ts$|/)', dependencyTypesNot: ['type-only', 'type-import'] },
    },
    {
      name: 'public-types-of-protocol',
      comment: 'the page takes types of the protocol: its schemas (and zod) stay on the server',
      severity: 'error',
      from: { path: '^public/' },
      to: { path: '^lib/(protocol|ports)([.]ts$|/)', dependencyTypesNot: ['type-only', 'type-import'] },
    },
    {
      name: 'pure-node',
      comment: 'pure code runs in the browser',
      severity: 'error',
      from: { path: CORE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(config|lib|socket|http|db)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'type-import'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^(config|lib|socket|http|db)/', pathNot: ['[.]d[.]ts$', '-worker[.]ts$'] },
      to: {},
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { path: '^(server[.]ts|config|lib|socket|http|db|cmd|public)' },
      to: { path: '^(test|bench|bin)/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|coverage)' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.cjs', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
