/**
 * The packages that Grafana gives its plugins, under the names that a built plugin asks for. Grafana's loader does the
 * same with SystemJS. Everything that is set in these packages at start must be set before, since SystemJS copies.
 */
import * as emotionCss from '@emotion/css';
import * as emotionReact from '@emotion/react';
import * as grafanaData from '@grafana/data';
import * as grafanaRuntime from '@grafana/runtime';
import * as grafanaUi from '@grafana/ui';
import * as i18next from 'i18next';
import lodash from 'lodash';
import moment from 'moment';
import * as react from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import * as reactDom from 'react-dom';
import * as reactRouter from 'react-router-dom-v5-compat';
import * as rxjs from 'rxjs';
import 'systemjs/dist/system.js';
import 'systemjs/dist/extras/amd.js';

interface SystemLoader {
  set(id: string, module: object): void;
  addImportMap(map: { imports: Record<string, string> }): void;
  import(id: string): Promise<unknown>;
}

const { System } = window as unknown as { System: SystemLoader };

const SHARED: Readonly<Record<string, object>> = {
  '@emotion/css': emotionCss,
  '@emotion/react': emotionReact,
  '@grafana/data': grafanaData,
  '@grafana/runtime': grafanaRuntime,
  '@grafana/ui': grafanaUi,
  i18next,
  lodash: { ...lodash, default: lodash },
  moment: { ...moment, default: moment },
  react,
  'react/jsx-runtime': jsxRuntime,
  'react-dom': reactDom,
  'react-router': reactRouter,
  rxjs,
};

export function shareModules(): void {
  const names = Object.keys(SHARED);
  System.addImportMap({ imports: Object.fromEntries(names.map((name) => [name, `package:${name}`])) });
  for (const [name, module] of Object.entries(SHARED)) System.set(`package:${name}`, module);
}

export function importPlugin(id: string): Promise<unknown> {
  return System.import(`/public/plugins/${id}/module.js`);
}
