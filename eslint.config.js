import tseslint from 'typescript-eslint';

const PURE = 'Core, engine and fairness are pure: time, chance and the outside come in as arguments.';
const pureGlobals = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process',
  'console',
  'crypto',
  'fetch',
  'Buffer',
].map((name) => ({ name, message: PURE }));

const syntax = (selector, message) => ({ selector, message });
const engineSyntax = [
  syntax(
    "MemberExpression[object.name='Math'][property.name!=/^(floor|imul|min|max|abs)$/]",
    'JavaScript engines differ in this function; the simulation may use floor, imul, min, max and abs.',
  ),
  syntax("BinaryExpression[operator='**']", 'JavaScript engines differ in powers; multiply.'),
  syntax("AssignmentExpression[operator='**=']", 'JavaScript engines differ in powers; multiply.'),
  syntax('ForInStatement', 'The order of keys is not promised: use arrays.'),
  syntax(
    "CallExpression[callee.object.name='Object'][callee.property.name=/^(keys|values|entries|getOwnPropertyNames)$/]",
    'The order of keys is not promised: use arrays.',
  ),
  syntax(
    'CallExpression[callee.property.name=/^(localeCompare|toLocaleString|toLocaleUpperCase|toLocaleLowerCase)$/]',
    'Results depend on the locale.',
  ),
  syntax('Literal[raw=/^[0-9_]*[.][0-9]/]', 'Integers only: fractions round differently.'),
];
const chance = syntax("MemberExpression[object.name='Math'][property.name='random']", PURE);

export default tseslint.config(
  { ignores: ['dist/**', 'dist.*/**', 'data/**', 'node_modules/**', 'coverage/**', 'test/out/**', 'docs/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['lib/core/**/*.ts', 'lib/engine/**/*.ts', 'lib/fairness/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...pureGlobals],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: PURE }] }],
      'no-restricted-syntax': ['error', chance],
    },
  },
  {
    files: ['lib/engine/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', chance, ...engineSyntax] },
  },
  {
    // The worker's entry is what the thread pool calls; the others are read by their tools.
    files: ['lib/run/*-worker.ts', '*.config.ts', 'test/setup/run.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-misused-promises': 'off',
      '@typescript-eslint/await-thenable': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
    },
  },
);
