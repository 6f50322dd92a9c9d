"""Runs a notebook with one of Python's runners and prints how long that took.

    python3 src/cli/bench/notebook_peer.py papermill|nbclient|nbclient-saving IN.ipynb OUT.ipynb

papermill runs its cells with nbclient and writes the whole notebook before the first cell, before and after every cell
and at the end. `nbclient` is the client alone, which writes once, at the end; `nbclient-saving` is the client with those
writes around its cells: what papermill costs where papermill itself is not installed.

`alignscope bench runner` calls it. It prints one line of JSON: the name and version of the peer and the seconds of the
run alone, without the start of Python and its imports; or {"absent": reason} when the package is not there.
"""

import json
import sys
import time


def run_papermill(source, target):
    import papermill

    begun = time.perf_counter()
    papermill.execute_notebook(source, target, progress_bar=False)
    return f"papermill {papermill.__version__}", begun


def run_nbclient(source, target):
    import nbclient
    import nbformat

    begun = time.perf_counter()
    notebook = nbformat.read(source, as_version=4)
    nbclient.NotebookClient(notebook).execute()
    nbformat.write(notebook, target)
    return f"nbclient {nbclient.__version__}", begun


def run_nbclient_saving(source, target):
    import nbclient
    import nbformat

    begun = time.perf_counter()
    notebook = nbformat.read(source, as_version=4)

    def save():
        # As papermill's write_ipynb and its handler of local files do.
        with open(target, "w", encoding="utf-8") as file:
            file.write(nbformat.writes(notebook))

    save()
    client = nbclient.NotebookClient(notebook)
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            save()
            client.execute_cell(cell, index)
            save()
    save()
    save()  # At the notebook's end, and when execute_notebook is about to return.
    return f"nbclient {nbclient.__version__} with papermill's saves", begun


PEERS = {"papermill": run_papermill, "nbclient": run_nbclient, "nbclient-saving": run_nbclient_saving}


def main(name, source, target):
    try:
        peer, begun = PEERS[name](source, target)
    except ModuleNotFoundError as error:
        return {"absent": str(error)}
    return {"peer": peer, "seconds": time.perf_counter() - begun}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4])))
