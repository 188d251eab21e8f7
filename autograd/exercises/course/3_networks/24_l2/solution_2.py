def gradient(w, b, dw, db, strength):
    for i in range(len(w)):
        dw[i] += strength * w[i] * 2
    return dw, db
