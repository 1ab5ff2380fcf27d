"""The compiled loop of k-means. Import this module inside functions only."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def move_labels(
    points: NDArray[np.float64],
    centres: NDArray[np.float64],
    moved: NDArray[np.float64],
    gaps: NDArray[np.float64],
    slack: float,
    labels: NDArray[np.int32],
    own: NDArray[np.float64],
    others: NDArray[np.float64],
) -> None:
    """Find the centre nearest to each point, the first of several, looking only where it may have changed.

    A point is at most `own` away from its centre and at least `others` from every other one; both are kept up as the
    centres move. Source: Hamerly 2010.

    Parameters
    ----------
    points, centres : float64[n, 2], float64[k, 2]
    moved : float64[k]
        How far each centre moved since the last time.
    gaps : float64[k]
        How far each centre is from the nearest other one.
    slack
        By how much a bound must hold to be relied on, because of rounding.
    labels, own, others : int32[n], float64[n], float64[n]
        As the last time left them; infinite `own` where there was none.
    """
    farthest = np.argmax(moved)
    second = 0.0
    for centre in range(moved.size):
        if centre != farthest:
            second = max(second, moved[centre])
    order = np.argsort(centres[:, 0])
    place = np.argsort(order)
    along_x, along_y = centres[order, 0], centres[order, 1]
    for point in range(labels.size):
        label = labels[point]
        own[point] += moved[label]
        others[point] -= second if label == farthest else moved[farthest]
        bound = max(others[point], gaps[label] - own[point])
        if own[point] + slack < bound:
            continue
        x, y = points[point, 0], points[point, 1]
        own[point] = np.sqrt((x - centres[label, 0]) ** 2 + (y - centres[label, 1]) ** 2)
        bound = max(others[point], gaps[label] - own[point])
        if own[point] + slack < bound:
            continue
        label, least, next_least = _two_nearest(x, y, place[label], order, along_x, along_y)
        labels[point], own[point], others[point] = label, np.sqrt(least), np.sqrt(next_least)


@njit(cache=True, nogil=True)
def _two_nearest(
    x: float,
    y: float,
    start: int,
    order: NDArray[np.int64],
    along_x: NDArray[np.float64],
    along_y: NDArray[np.float64],
) -> tuple[int, float, float]:
    """Return which centre is nearest, the first of several, and the two least squared distances.

    Centres come in `order` of the first axis, and are looked at outward from `start` until none farther on can matter.
    """
    label, least, next_least = 0, np.inf, np.inf
    for way in (-1, 1):
        here = start if way < 0 else start + 1
        while 0 <= here < order.size:
            apart = way * (along_x[here] - x)
            if apart > 0 and apart * apart > next_least:
                break
            distance = (x - along_x[here]) ** 2 + (y - along_y[here]) ** 2
            if distance < least or (distance == least and order[here] < label):
                label, least, next_least = order[here], distance, least
            elif distance < next_least:
                next_least = distance
            here += way
    return label, least, next_least
