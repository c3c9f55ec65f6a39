/**
 * What Grafana gives its plugins at run time, so that none of it is in the bundle: the list of `@grafana/create-plugin`
 * 7.1.7. A package that is in the wrong list either breaks the page (two Reacts) or makes it large.
 */
import type { Configuration } from 'webpack';

export const externals: NonNullable<Configuration['externals']> = [
  // the loader's own record of this module, from which the public path is taken
  { 'amd-module': 'module' },
  'lodash',
  'jquery',
  'moment',
  'slate',
  'emotion',
  '@emotion/react',
  '@emotion/css',
  'prismjs',
  'slate-plain-serializer',
  '@grafana/slate-react',
  'react',
  'react/jsx-runtime',
  'react/jsx-dev-runtime',
  'react-dom',
  'react-redux',
  'redux',
  'rxjs',
  'i18next',
  'react-router',
  'd3',
  'angular',
  /^@grafana\/ui/i,
  /^@grafana\/runtime/i,
  /^@grafana\/data/i,
];
