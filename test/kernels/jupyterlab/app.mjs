/*
 * JupyterLab with the extensions that package.json names, showing one notebook: `?notebook=PATH&token=TOKEN`.
 */
import { JupyterLab } from "@jupyterlab/application";
import { IThemeManager } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { IServiceManager } from "@jupyterlab/services";
import { ISettingConnector } from "@jupyterlab/settingregistry";
import { DataConnector, IStateDB, StateDB } from "@jupyterlab/statedb";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { PluginRegistry } from "@lumino/coreutils";
import "@jupyterlab/theme-light-extension/style/theme.css";

const extensions = import.meta.glob("./node_modules/@jupyterlab/*-extension/lib/index.js", { eager: true });
import.meta.glob("./node_modules/@jupyterlab/*-extension/style/index.js", { eager: true });
const schemas = import.meta.glob("./node_modules/@jupyterlab/*-extension/schema/*.json", {
  eager: true,
  import: "default",
});

const asked = new URL(location.href).searchParams;
PageConfig.setOption("token", asked.get("token"));

/** The extensions' settings as they come, of which the server knows nothing: that part of JupyterLab's is not installed. */
const settings = new Map(
  Object.entries(schemas).map(([path, schema]) => {
    const [, name, plugin] = /(@jupyterlab\/[^/]+)\/schema\/(.+)\.json$/.exec(path);
    const id = `${name}:${plugin}`;
    return [id, { id, schema, raw: "{}", version: "", data: { composite: {}, user: {} } }];
  }),
);

class DefaultSettings extends DataConnector {
  async fetch(id) {
    return settings.get(id);
  }

  async list() {
    return { ids: [...settings.keys()], values: [...settings.values()] };
  }

  async save() {}
}

/** In place of the extensions' own plugins, which ask the server. */
const replaced = [
  {
    id: "@jupyterlab/apputils-extension:settings-connector",
    provides: ISettingConnector,
    activate: () => new DefaultSettings(),
  },
  { id: "@jupyterlab/apputils-extension:state", provides: IStateDB, activate: () => new StateDB() },
  {
    id: "@jupyterlab/translation-extension:translator",
    provides: ITranslator,
    activate: () => nullTranslator,
  },
  {
    id: "@jupyterlab/theme-light-extension:plugin",
    autoStart: true,
    requires: [IThemeManager],
    // Its style is part of this page.
    activate: (_, themes) =>
      themes.register({
        name: "JupyterLab Light",
        isLight: true,
        load: async () => {},
        unload: async () => {},
      }),
  },
  // Would ask whether to look for news.
  { id: "@jupyterlab/apputils-extension:announcements", activate: () => {} },
];
const replacedIds = new Set(replaced.map(({ id }) => id));

const found = Object.values(extensions).flatMap((module) => module.default);
const plugins = found.filter(({ id, activate }) => activate && !replacedIds.has(id));
const mimeExtensions = found.filter(({ rendererFactory }) => rendererFactory);

const pluginRegistry = new PluginRegistry();
pluginRegistry.registerPlugins([...plugins, ...replaced]);
const serviceManager = await pluginRegistry.resolveRequiredService(IServiceManager);
const lab = new JupyterLab({ pluginRegistry, serviceManager, mimeExtensions });
await lab.start();
await lab.restored;
await lab.commands.execute("docmanager:open", { path: asked.get("notebook"), factory: "Notebook" });
