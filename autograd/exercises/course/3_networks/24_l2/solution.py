def gradient(w, b, dw, db, strength):
    return [g + 2 * strength * wi for g, wi in zip(dw, w)], db  # hole
