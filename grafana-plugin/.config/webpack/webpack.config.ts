/**
 * Builds `dist/`: one AMD module that Grafana's loader takes, and a chunk for each page. Run by `npm run build:plugin`.
 * Follows the scaffold of `@grafana/create-plugin` 7.1.7; see ../README.md for what differs.
 */
import path from 'node:path';
import CopyWebpackPlugin from 'copy-webpack-plugin';
import webpack, { type Configuration } from 'webpack';
import { SubresourceIntegrityPlugin } from 'webpack-subresource-integrity';
import VirtualModulesPlugin from 'webpack-virtual-modules';
import { DIST_DIR, PLUGIN_ROOT, SOURCE_DIR } from '../bundler/constants.ts';
import { banner, copyPatterns, pluginId } from '../bundler/copyFiles.ts';
import { externals } from '../bundler/externals.ts';

/** Chunks come from where Grafana found the module, whatever path it is served under. */
const publicPathModule = `
import amdMetaModule from 'amd-module';

__webpack_public_path__ =
  amdMetaModule && amdMetaModule.uri
    ? amdMetaModule.uri.slice(0, amdMetaModule.uri.lastIndexOf('/') + 1)
    : 'public/plugins/${pluginId}/';
`;

interface Env {
  readonly production?: boolean;
}

export default function config({ production = false }: Env): Configuration {
  const mode = production ? 'production' : 'development';
  return {
    mode,
    context: SOURCE_DIR,
    entry: { module: ['grafana-public-path', path.join(SOURCE_DIR, 'module.tsx')] },
    devtool: production ? 'source-map' : 'eval-source-map',
    externals,
    performance: { hints: false },
    module: {
      rules: [
        {
          test: /\.tsx?$/,
          exclude: /node_modules/,
          use: {
            loader: 'swc-loader',
            options: {
              jsc: {
                target: 'es2022',
                parser: { syntax: 'typescript', tsx: true },
                transform: { react: { runtime: 'automatic' } },
              },
            },
          },
        },
        { test: /\.svg$/, type: 'asset/resource', generator: { filename: production ? '[hash][ext]' : '[file]' } },
      ],
    },
    output: {
      clean: true,
      path: DIST_DIR,
      filename: '[name].js',
      chunkFilename: production ? '[name].js?_cache=[contenthash]' : '[name].js',
      library: { type: 'amd' },
      publicPath: `public/plugins/${pluginId}/`,
      uniqueName: pluginId,
      crossOriginLoading: 'anonymous',
    },
    plugins: [
      new VirtualModulesPlugin({
        [path.join(PLUGIN_ROOT, 'node_modules', 'grafana-public-path.js')]: publicPathModule,
      }),
      // after the minimizer, which takes comments away
      new webpack.BannerPlugin({
        banner,
        raw: true,
        entryOnly: true,
        stage: webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_SIZE + 1,
      }),
      new CopyWebpackPlugin({ patterns: copyPatterns(mode) }),
      new SubresourceIntegrityPlugin({ hashFuncNames: ['sha256'] }),
    ],
    resolve: { extensions: ['.tsx', '.ts', '.js'] },
  };
}
