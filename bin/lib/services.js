import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * What the tests need beside Node. `find` gives where it is, or undefined; `setting` hands that to the tests;
 * `packages` are Debian's names; `elsewhere` is what to run where apt cannot help.
 */
export const services = [
  {
    name: 'Chromium',
    find: findChromium,
    setting: 'CHROMIUM_PATH',
    packages: ['chromium'],
    elsewhere: 'npx playwright-core install --with-deps chromium',
  },
  {
    name: 'a font with Korean letters',
    find: findKoreanFont,
    packages: ['fonts-noto-cjk'],
    elsewhere: 'install Noto Sans CJK',
  },
];

/** Finds all services, installs what is missing where that is allowed, and returns the settings for the tests. */
export function provide() {
  const missing = services.filter((service) => service.find() === undefined);
  if (missing.length > 0) install(missing);
  const settings = {};
  const absent = [];
  for (const service of services) {
    const found = service.find();
    if (found === undefined) absent.push(service);
    else if (service.setting) settings[service.setting] = found;
  }
  if (absent.length > 0) {
    console.error(`The tests need ${absent.map(({ name }) => name).join(' and ')}. Run this once:`);
    console.error(`  ${absent.map(instruction).join(' && ')}`);
    process.exit(1);
  }
  return settings;
}

function install(missing) {
  const packages = missing.flatMap((service) => service.packages);
  const sudo = privilege();
  if (sudo === undefined || !onPath('apt-get')) return;
  console.log(`installing ${packages.join(', ')} …`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const apt = [...sudo, 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120'];
  spawnSync(apt[0], [...apt.slice(1), 'update'], options);
  spawnSync(apt[0], [...apt.slice(1), 'install', '-y', '--no-install-recommends', ...packages], options);
  // Ubuntu's package is only a pointer to a snap: the browser then comes from the test driver's own source.
  if (missing.some(({ find }) => find === findChromium) && findChromium() === undefined) {
    spawnSync(
      'npx',
      ['playwright-core', 'install', ...(sudo.length === 0 ? ['--with-deps'] : []), 'chromium'],
      options,
    );
  }
}

/** The words before a command that needs root: none as root, sudo where it asks nothing, undefined where neither. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

function instruction(service) {
  return onPath('apt-get') && !isSnapSystem()
    ? `sudo apt-get install -y ${service.packages.join(' ')}`
    : service.elsewhere;
}

function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const candidates = [
    process.env.CHROMIUM_PATH,
    ...names.map(onPath),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ...driverBrowsers(),
  ];
  return candidates.find((path) => path && existsSync(path) && !isSnapStub(path) && answers(path));
}

/** Browsers that the test driver has downloaded for this user. */
function driverBrowsers() {
  const cache = join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'ms-playwright');
  if (!existsSync(cache)) return [];
  const builds = readdirSync(cache).filter((name) => name.startsWith('chromium-'));
  return builds.flatMap((build) =>
    ['chrome-linux64/chrome', 'chrome-linux/chrome'].map((path) => join(cache, build, path)),
  );
}

/** A small script that only starts a snap, which has no access to temporary profiles, or asks to install one. */
function isSnapStub(path) {
  if (statSync(path).size > 10_000) return false;
  return /\bsnap\b/.test(execFileSync('cat', [path], { encoding: 'latin1' })) && isSnapSystem();
}

function isSnapSystem() {
  return (
    existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(execFileSync('cat', ['/etc/os-release'], { encoding: 'utf8' }))
  );
}

function answers(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

function findKoreanFont() {
  if (process.platform !== 'linux') return 'part of the system';
  const found = spawnSync('fc-list', [':lang=ko', 'family'], { encoding: 'utf8' });
  return found.stdout?.split('\n')[0] || undefined;
}

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
