import { writeFileSync } from 'node:fs';
import { goldenFile } from '../helpers/engine-golden.ts';

// Only for a version that no release has used: afterwards a difference is a bug, and a change a new version.
// npx tsx test/golden/write-engine-v1.ts
writeFileSync(new URL('./engine-v1.json', import.meta.url), goldenFile());
