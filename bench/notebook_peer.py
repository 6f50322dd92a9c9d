"""Runs a notebook with papermill, or with nbclient where papermill is not installed, and prints how long that took.

    python3 bench/notebook_peer.py IN.ipynb OUT.ipynb

`alignscope bench runner` calls it. It prints one line of JSON: the name and version of the peer and the seconds of the
run alone, without the start of Python and its imports; or {"peer": null} when neither is there.
"""

import json
import sys
import time


def main(source, target):
    try:
        import papermill

        begun = time.perf_counter()
        papermill.execute_notebook(source, target, progress_bar=False)
        return {"peer": f"papermill {papermill.__version__}", "seconds": time.perf_counter() - begun}
    except ImportError:
        pass
    try:
        import nbclient
        import nbformat
    except ImportError:
        return {"peer": None}
    begun = time.perf_counter()
    notebook = nbformat.read(source, as_version=4)
    nbclient.NotebookClient(notebook).execute()
    nbformat.write(notebook, target)
    return {"peer": f"nbclient {nbclient.__version__}", "seconds": time.perf_counter() - begun}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:3])))
