/** Before the tests of the pages: the pages are built, or it is said how. */
import { isBuilt } from '../../preview/server.ts';

export default function setup(): void {
  if (!isBuilt()) throw new Error('The pages are not built. Run: npm run build:plugin');
}
